# Entrepot's own services. Part of cluster.sh.

program_of() { # api-1 → services/api/…/Entrepot.Api
  local service=${1%-*}
  echo "$root/services/$service/bin/Release/net10.0/Entrepot.${service^}.dll"
}

# Always, so that what runs is what the sources say; but for those who have just built.
build_services() {
  if [ "${ENTREPOT_NO_BUILD:-}" = 1 ]; then
    local service
    for service in api fetcher janitor; do [ -e "$(program_of "$service-1")" ] || die "services/$service is not built, and ENTREPOT_NO_BUILD=1 keeps it so"; done
    return
  fi
  command -v dotnet >/dev/null || die "there is no dotnet on PATH: install the .NET 10 SDK (https://dotnet.microsoft.com/download)"
  # It references the three.
  dotnet build "$root/services/standalone" -c Release --nologo -v quiet >&2 || die "the services do not build"
}

start_service() {
  local name=$1 token="$data/conf/token"
  [ -s "$token" ] || (umask 077; head -c 24 /dev/urandom | base64 >"$token")
  # What one process alone shall see differently: DIR/conf/NAME.env, lines of Entrepot__KEY=VALUE.
  local own=()
  [ ! -r "$data/conf/$name.env" ] || mapfile -t own <"$data/conf/$name.env"
  # Environment variables go before the file: what FILE says of anything else counts.
  run_in_background "$name" env \
    DOTNET_ENVIRONMENT=Production \
    "Entrepot__Urls=$(url_of "$name")" \
    "Entrepot__DataDirectory=$data/services/$name" \
    "Entrepot__Database__ConnectionString=Host=127.0.0.1;Port=$(port_of postgres);Database=entrepot;Username=entrepot" \
    "Entrepot__Database__Password=entrepot" \
    "Entrepot__Bus__Url=$(url_of rabbitmq)" \
    "Entrepot__Store__Endpoint=$(url_of s3)" \
    "Entrepot__Store__AccessKey=entrepot" \
    "Entrepot__Store__SecretKey=entrepot-secret" \
    "Entrepot__Internal__TokenFile=$token" \
    "Entrepot__Telemetry__ServiceInstance=$name" \
    "${own[@]}" \
    dotnet "$(program_of "$name")" ${config:+--config "$config"}
}
