# latentdesk-viewer, headless unless a display is shared in. From the top of the source tree:
#
#   docker build -t latentdesk-viewer -f docker/viewer.Dockerfile .
#
# --- the program ---
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/install_dependencies.sh scripts/
RUN apt-get update && apt-get install -y --no-install-recommends ccache \
  && scripts/install_dependencies.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
# A cache of compilations, where one is mounted: /ccache.
ENV CCACHE_DIR=/ccache CCACHE_BASEDIR=/src CMAKE_CXX_COMPILER_LAUNCHER=ccache
RUN cmake --preset release -DLATENTDESK_TESTS=OFF -DLATENTDESK_WEB=OFF -DLATENTDESK_CUDA=OFF \
  && cmake --build --preset release --target latentdesk-viewer \
  && cmake --install build/release --prefix /opt/latentdesk --strip --component codec \
  && cmake --install build/release --prefix /opt/latentdesk --strip --component viewer \
  && docker/needed_packages.sh /opt/latentdesk >/opt/latentdesk/packages

# --- what runs ---
FROM debian:bookworm-slim
COPY --from=build /opt/latentdesk/packages /tmp/
RUN apt-get update && apt-get install -y --no-install-recommends $(cat /tmp/packages) fonts-dejavu-core ca-certificates \
  && rm -rf /var/lib/apt/lists/* /tmp/packages \
  && useradd --create-home --uid 1000 viewer \
  && install -d -o viewer -g viewer /home/viewer/.local /home/viewer/.local/share
COPY --from=build /opt/latentdesk/bin /usr/local/bin
COPY --from=build /opt/latentdesk/lib /usr/local/lib
COPY --from=build /opt/latentdesk/share /usr/local/share
COPY docker/viewer.sh /usr/local/bin/latentdesk-container
USER viewer
WORKDIR /home/viewer
ENTRYPOINT ["latentdesk-container"]
