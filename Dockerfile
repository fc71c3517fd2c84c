# The images of Entrepot's processes: one build, one image per value of SERVICE (api, fetcher, janitor, standalone).
#   docker build --build-arg SERVICE=api --tag entrepot/api .
ARG SDK=10.0.401-noble
ARG RUNTIME=10.0.12-noble

FROM mcr.microsoft.com/dotnet/sdk:${SDK} AS build
SHELL ["/bin/bash", "-euc"]
WORKDIR /src

# Packages are a layer of their own, which only a changed project file makes anew. standalone references all other projects.
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props BannedSymbols.txt ./
COPY shared/Cluster/Cluster.csproj shared/Cluster/
COPY shared/Contracts/Contracts.csproj shared/Contracts/
COPY shared/Hosting/Hosting.csproj shared/Hosting/
COPY shared/Metadata/Metadata.csproj shared/Metadata/
COPY shared/Oci/Oci.csproj shared/Oci/
COPY shared/Storage/Storage.csproj shared/Storage/
COPY shared/Upstreams/Upstreams.csproj shared/Upstreams/
COPY services/Directory.Build.props services/
COPY services/api/Api.csproj services/api/
COPY services/fetcher/Fetcher.csproj services/fetcher/
COPY services/janitor/Janitor.csproj services/janitor/
COPY services/standalone/Standalone.csproj services/standalone/
RUN dotnet restore services/standalone --use-current-runtime -p:PublishReadyToRun=true

# All services at once, so that every image finds this layer made already. Compiled ahead of time: the first pull does not wait for a compiler.
COPY .editorconfig ./
COPY shared shared
COPY services services
RUN for service in api fetcher janitor standalone; do \
      dotnet publish "services/$service" --no-restore -c Release --use-current-runtime --self-contained false -p:PublishReadyToRun=true -o "/out/$service"; \
      ln -s "Entrepot.${service^}" "/out/$service/entrepot"; \
    done

FROM mcr.microsoft.com/dotnet/aspnet:${RUNTIME}
# Its owner becomes the owner of a new volume that is mounted there.
RUN install -d -o "$APP_UID" -g "$APP_UID" /data
COPY infra/docker/healthcheck infra/docker/own-folder /usr/local/bin/
ARG SERVICE=standalone
COPY --from=build /out/${SERVICE} /app
WORKDIR /data
USER $APP_UID
ENV Entrepot__DataDirectory=/data DOTNET_EnableDiagnostics=0
EXPOSE 5000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["healthcheck"]
ENTRYPOINT ["/app/entrepot"]
