#!/bin/bash
# Exit status 0 while the server of this container answers.
set -euo pipefail

address=${LATENTDESK_LISTEN:-0.0.0.0:8765}
exec 3<>"/dev/tcp/127.0.0.1/${address##*:}"
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[[ $status == 200 ]]
