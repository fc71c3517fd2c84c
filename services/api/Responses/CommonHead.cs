using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>The headers of every answer below <c>/v2</c>.</summary>
internal static class CommonHead
{
    public static void Write(IHeaderDictionary headers)
    {
        headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        headers.XContentTypeOptions = "nosniff";
    }

    /// <summary>Tells the client that the registry it named by <c>ns</c> was meant. Source: containerd, docs/hosts.md.</summary>
    public static void WriteNamespace(IHeaderDictionary headers, string ns) => headers["OCI-Namespace"] = ns;
}
