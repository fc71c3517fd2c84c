using Entrepot.Api.Responses;
using Entrepot.Metadata;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Pull;

/// <summary>The repositories of which something is held, by the names a client would pull them by: those of the default upstream bare, others behind their registry's name.</summary>
internal sealed class ListCatalog(Holdings holdings, UpstreamCatalog catalog)
{
    public async Task RunAsync(HttpContext http)
    {
        if (!Page.TryRead(http.Request.Query, out var page, out var error))
        {
            await OciErrorResult.WriteAsync(http, error);
            return;
        }
        var known = await holdings.ListRepositoriesAsync(http.RequestAborted);
        var names = known
            .Where(r => catalog.Find(r.Upstream) is not null)
            .Select(r => catalog.Find(r.Upstream) == catalog.Default ? r.Name : $"{r.Upstream}/{r.Name}")
            .Order(StringComparer.Ordinal).ToList();
        await ListResult.WriteAsync(http, page, names, "repositories", null);
    }
}
