# Stands in for Microsoft's image of the ASP.NET runtime.
FROM entrepot-test/debian
COPY . /usr/share/dotnet
RUN rm /usr/share/dotnet/Dockerfile && ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet && useradd --uid 1654 --create-home app
ENV APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_RUNNING_IN_CONTAINER=true
