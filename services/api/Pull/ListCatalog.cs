using Entrepot.Api.Responses;
using Entrepot.Metadata;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Pull;

/// <summary>
/// The repositories of which something is held, by the names this client would pull them by: those of the default upstream, or of the one that its <c>ns</c>
/// or host names, bare; others behind their registry's name.
/// </summary>
internal sealed class ListCatalog(Holdings holdings, UpstreamCatalog catalog)
{
    public async Task RunAsync(HttpContext http)
    {
        if (!Page.TryRead(http.Request.Query, out var page, out var error))
        {
            await OciErrorResult.WriteAsync(http, error);
            return;
        }
        var request = http.Request;
        var bare = catalog.FindNamed(request.Query["ns"].ToString(), request.Host.Value) ?? catalog.Default;
        var known = await holdings.ListRepositoriesAsync(http.RequestAborted);
        var names = known
            .Where(r => catalog.Find(r.Upstream) is not null)
            .Select(r => catalog.Find(r.Upstream) == bare ? r.Name : $"{r.Upstream}/{r.Name}")
            .Order(StringComparer.Ordinal).ToList();
        await ListResult.WriteAsync(http, page, names, "repositories", null);
    }
}
