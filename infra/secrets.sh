#!/bin/bash
# infra/secrets.sh [DIR]: makes the secrets of docker-compose.yml that are not there yet, random ones, in infra/secrets. None is ever overwritten:
# the servers keep the password of their first start. The folder is closed to others; the files are not, for each container has a user of its own.
set -euo pipefail
dir=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/secrets}
install -d -m 700 "$dir"
for name in postgres_password rabbitmq_password s3_secret_key internal_token grafana_password; do
  [ -s "$dir/$name" ] && continue
  head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' >"$dir/$name"
  chmod 444 "$dir/$name"
  echo "made $dir/$name"
done
