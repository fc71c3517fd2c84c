# The images: stand-ins for what cannot be pulled everywhere, and Entrepot's own. Part of compose.sh.

# What is there already, of an earlier run in the same folder, Docker's own cache knows.
make_stand_ins() { make_debian && make_servers && make_dotnet; }

# base_image sdk|aspnet: the name that the Dockerfile asks for
base_image() {
  local version; case $1 in sdk) version=SDK ;; aspnet) version=RUNTIME ;; esac
  echo "mcr.microsoft.com/dotnet/$1:$(sed -n "s/^ARG $version=//p" "$root/Dockerfile")"
}

make_debian() {
  local suite mirror
  docker image inspect entrepot-test/debian >/dev/null 2>&1 && return 0
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" | head -n 1)
  rm -rf "$work/debian"
  debootstrap --variant=minbase --include=ca-certificates,libssl3,libstdc++6,zlib1g,tzdata "$suite" "$work/debian" "$mirror" &&
    tar -C "$work/debian" -c . | docker import - entrepot-test/debian
  local code=$?
  rm -rf "$work/debian"
  return $code
}

make_servers() { docker build --network host --tag entrepot-test/servers "$here/images/servers"; }

# This machine's SDK and runtime under the names of Microsoft's images. Restoring goes where it goes on this machine: with its NuGet settings and its
# certificates.
make_dotnet() {
  local dotnet context=$work/run/context
  dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
  mkdir -p "$context"
  cp "$here/images/aspnet.Dockerfile" "$context/Dockerfile"
  tar -c -C "$context" Dockerfile -C "$dotnet" dotnet host shared | docker build --tag "$(base_image aspnet)" - || return 1
  sed "s|@ASPNET@|$(base_image aspnet)|" "$here/images/sdk.Dockerfile" >"$context/Dockerfile"
  cp /etc/ssl/certs/ca-certificates.crt "$context/"
  cp ~/.nuget/NuGet/NuGet.Config "$context/" 2>/dev/null || echo '<configuration />' >"$context/NuGet.Config"
  tar -c -C "$context" Dockerfile ca-certificates.crt NuGet.Config -C "$dotnet" sdk packs templates sdk-manifests | docker build --tag "$(base_image sdk)" -
}

build_images() { compose build api fetcher janitor; }
