# shellcheck shell=bash
# Sourced by check_images.sh: storage for images of its own, and the image that the others begin with.
# shellcheck disable=SC2154  # check_images.sh, which sources this file, sets them

readonly base_image=debian:bookworm-slim
readonly registry_seconds=20

# Away from the images of this machine. The settings are those of this machine where they work here.
use_own_storage() {
  export CONTAINERS_STORAGE_CONF=$folder/storage.conf CONTAINERS_CONF=$folder/containers.conf
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$folder/storage" "$run_folder" \
    >"$CONTAINERS_STORAGE_CONF"
  # No more than this shell may have: not every root may raise its limits.
  cat >"$CONTAINERS_CONF" <<END
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=16384:16384"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
}

make_base() {
  if buildah inspect --type image "$base_image" >/dev/null 2>&1; then return; fi
  if timeout "$registry_seconds" buildah pull "$base_image"; then return; fi
  bootstrap
}

# The mirror and the suites that apt uses on this machine, as lines for sources.list.
sources_list() {
  # shellcheck disable=SC2016  # apt's variables
  apt-get indextargets --format '$(CREATED_BY) deb $(SITE) $(RELEASE) main' |
    sed -n 's/^Packages \(deb .* bookworm\(-updates\|-security\)\? main\)$/\1/p' | sort -u
}

bootstrap() {
  local root=$folder/root mirror
  mirror=$(sources_list | awk '$3 == "bookworm" { print $2; exit }')
  [[ -n $mirror ]] || fail "apt on this machine knows no mirror of Debian 12 (bookworm)"
  eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
  if [[ -n ${http_proxy:-} ]]; then export http_proxy; fi
  rm -rf "$root"
  debootstrap --variant=minbase bookworm "$root" "$mirror"
  sources_list >"$root/etc/apt/sources.list"
  make_slim "$root"
  tar --directory "$root" --create . | podman import - "$base_image"
  rm -rf "$root"
}

# As Debian's own slim image: without documentation, translations and what apt downloads.
make_slim() {
  local path
  for path in doc man locale info lintian groff linda; do
    echo "path-exclude /usr/share/$path/*"
    find "$1/usr/share/$path" -mindepth 1 -delete 2>/dev/null || true
  done >"$1/etc/dpkg/dpkg.cfg.d/slim"
  cat >"$1/etc/apt/apt.conf.d/clean" <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END
  rm -rf "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*_* "$1"/var/log/*.log
}

# buildah_extract CONTAINER FOLDER: unpacks the archive from standard input there.
buildah_extract() {
  local root
  root=$(buildah mount "$1")
  tar --directory "$root$2" --extract
  buildah umount "$1"
}
