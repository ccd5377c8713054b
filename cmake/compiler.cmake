# Warnings and sanitizers, for our own targets through latentdesk_options.
add_library(latentdesk_options INTERFACE)
target_include_directories(latentdesk_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(latentdesk_options INTERFACE LATENTDESK_VERSION="${PROJECT_VERSION}")
target_compile_options(latentdesk_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)
if(LATENTDESK_WERROR)
  target_compile_options(latentdesk_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Werror> $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives inside coroutine frames and std::string at -O2 and above.
  target_compile_options(latentdesk_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized -Wno-restrict>)
endif()

if(LATENTDESK_SANITIZE)
  add_compile_options(-fsanitize=${LATENTDESK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LATENTDESK_SANITIZE})
  if(LATENTDESK_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences order what one thread runs; ThreadSanitizer does not follow them, which GCC warns of.
    add_compile_options(-Wno-tsan)
  endif()
endif()

# Files of which most is what Boost.Beast's templates become: UndefinedBehaviorSanitizer would double the time that they take, to check Beast.
function(latentdesk_mostly_beast)
  if(LATENTDESK_SANITIZE MATCHES undefined)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -fno-sanitize=undefined)
  endif()
endfunction()
