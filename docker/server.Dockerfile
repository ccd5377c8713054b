# latentdesk-server with a desktop to show. From the top of the source tree:
#
#   docker build -t latentdesk-server -f docker/server.Dockerfile .
#
#   --build-arg CUDA=ON        with the GPU backend; nvcc and cuDNN come from CUDA_REPOSITORY, the address of NVIDIA's packages
#                              for Debian 12, or from /usr/local/cuda of BUILD_BASE
#   --build-arg BROWSER=ON     with Chromium on the desktop
ARG BUILD_BASE=debian:bookworm-slim

# --- the page for browsers ---
FROM debian:bookworm-slim AS page
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates clang lld nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src/client/web
# A file with the certificate authority of networks that have their own.
ARG NODE_EXTRA_CA_CERTS=
COPY client/web/package.json client/web/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY client/web ./
# The page does some of its work by the native programs' headers.
COPY common /src/common
RUN npm run --silent build -- --outDir /page --emptyOutDir --logLevel warn

# --- the programs ---
FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY scripts/install_dependencies.sh scripts/
RUN apt-get update && apt-get install -y --no-install-recommends ccache \
  && scripts/install_dependencies.sh build && rm -rf /var/lib/apt/lists/*
ARG CUDA=OFF
ARG CUDA_REPOSITORY=
COPY docker/install_cuda.sh docker/
RUN if [ "$CUDA" = ON ]; then docker/install_cuda.sh "$CUDA_REPOSITORY"; fi
COPY . .
# A cache of compilations, where one is mounted: /ccache.
ENV CCACHE_DIR=/ccache CCACHE_BASEDIR=/src CMAKE_CXX_COMPILER_LAUNCHER=ccache
RUN cmake --preset release -DLATENTDESK_TESTS=OFF -DLATENTDESK_WEB=OFF -DLATENTDESK_CUDA="$CUDA" \
  && cmake --build --preset release --target latentdesk-server \
  && cmake --install build/release --prefix /opt/latentdesk --strip --component codec \
  && cmake --install build/release --prefix /opt/latentdesk --strip --component server \
  && if [ "$CUDA" = ON ]; then docker/copy_cudnn.sh /opt/latentdesk/lib; fi \
  && docker/needed_packages.sh /opt/latentdesk >/opt/latentdesk/packages

# --- what runs ---
FROM debian:bookworm-slim
COPY --from=build /opt/latentdesk/packages /tmp/
ARG BROWSER=OFF
RUN apt-get update && apt-get install -y --no-install-recommends $(cat /tmp/packages) \
    tini xvfb jwm xterm fonts-dejavu-core xscreensaver-gl libgl1-mesa-dri libegl1 ca-certificates \
    $(if [ "$BROWSER" = ON ]; then echo chromium; fi) \
  && rm -rf /var/lib/apt/lists/* /tmp/packages \
  && useradd --create-home --uid 1000 --shell /bin/bash desktop \
  && install -d -o desktop -g desktop /home/desktop/.local /home/desktop/.local/state \
  && install -d -m 1777 /tmp/.X11-unix
COPY --from=build /opt/latentdesk/bin /usr/local/bin
COPY --from=build /opt/latentdesk/lib /usr/local/lib
COPY --from=build /opt/latentdesk/share /usr/local/share
COPY --from=page /page /usr/local/share/latentdesk/web
COPY docker/server.sh /usr/local/bin/latentdesk-container
COPY docker/desktop.sh /usr/local/bin/latentdesk-desktop
COPY docker/health.sh /usr/local/bin/latentdesk-health
COPY docker/desktop/jwmrc /etc/latentdesk/
COPY docker/desktop/chromium /etc/chromium.d/latentdesk
RUN ldconfig

# What the container gets of the GPU: CUDA, and OpenGL by EGL and GLX.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
USER desktop
WORKDIR /home/desktop
EXPOSE 8765
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["latentdesk-health"]
ENTRYPOINT ["tini", "--", "latentdesk-container"]
