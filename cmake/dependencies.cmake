# Everything comes from the distribution; scripts/install_dependencies.sh installs it on Debian 12.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)

if(LATENTDESK_CPU)
  # Debian's package configuration of oneDNN asks for OpenCL's headers, which nothing here needs.
  find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
  find_library(DNNL_LIBRARY dnnl REQUIRED)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES
    IMPORTED_LOCATION ${DNNL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})
  find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()

include(cmake/cuda.cmake)

if(LATENTDESK_APPS)
  find_package(Boost 1.81 REQUIRED)
  find_package(OpenSSL 3.0 REQUIRED)
  pkg_check_modules(X11 REQUIRED IMPORTED_TARGET x11 x11-xcb xcb-shm xext xdamage xfixes xrandr xi xtst xau xkbcommon)
  pkg_check_modules(SDL2 REQUIRED IMPORTED_TARGET sdl2 SDL2_gfx)
  find_package(PNG REQUIRED)
endif()
