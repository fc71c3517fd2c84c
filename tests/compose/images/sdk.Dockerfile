# Stands in for Microsoft's image of the SDK.
FROM @ASPNET@
COPY . /usr/share/dotnet
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY NuGet.Config /root/.nuget/NuGet/NuGet.Config
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 NUGET_CERT_REVOCATION_MODE=offline
