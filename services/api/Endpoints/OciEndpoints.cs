using System.Diagnostics;
using Entrepot.Api.Pull;
using Entrepot.Api.Responses;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Endpoints;

/// <summary>
/// Everything below <c>/v2</c>. A middleware and not routes: names hold slashes, so the path is read from the right, once, by <see cref="OciPath"/>.
/// </summary>
internal sealed class OciEndpoints(
    UpstreamCatalog catalog, PullManifest manifests, PullBlob blobs, PullTagList tags, PullReferrers referrers, ListCatalog repositories, TimeProvider time, ILogger<OciEndpoints> log)
{
    /// <summary>Whether a path is the registry's.</summary>
    public static bool IsOurs(HttpContext http) => http.Request.Path.Value is { } path && path.StartsWith("/v2", StringComparison.Ordinal) && (path.Length == 3 || path[3] == '/');

    /// <summary>Answers one request: always with a status, never with an exception.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var startedAt = time.GetTimestamp();
        var headers = http.Response.Headers;
        CommonHead.Write(headers);
        if (http.Features.Get<ChosenForTrace>() is not null) Activity.Current?.SetTag(ChosenForTrace.Tag, true);
        var path = PathOf(http);
        try
        {
            await DispatchAsync(http, path, startedAt);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (DatabaseUnavailableException e)
        {
            log.Unanswered(http.Request.Method, path, e.Message);
            await FailAsync(http, new OciError(OciErrorCode.Unavailable, "the metadata database can't be reached; what is not in memory can't be served now"));
        }
        catch (Exception e)
        {
            log.Broke(http.Request.Method, path, e);
            await FailAsync(http, new OciError(OciErrorCode.Unknown, "an error of this cache; its log says more"));
        }
        // A line for each hit would cost more than the hit.
        var cache = http.Response.Headers["X-Cache"].ToString();
        var level = cache == "HIT" && http.Response.StatusCode < 400 ? LogLevel.Debug : LogLevel.Information;
        PullTrace.Answered(http.Response.StatusCode);
        if (path.Length > 4 && log.IsEnabled(level))
            log.Pulled(level, http.Request.Method, path, http.Response.StatusCode, cache, (long)time.GetElapsedTime(startedAt).TotalMilliseconds, http.Response.ContentLength ?? 0, ClientAddresses.ForLog(http));
    }

    private Task DispatchAsync(HttpContext http, string path, long startedAt)
    {
        if (!OciPath.TryParse(path, out var asked, out var error)) return OciErrorResult.WriteAsync(http, error);
        if (!IsRead(http.Request.Method) || asked.Route == OciRoute.Upload)
        {
            http.Response.Headers.Allow = "GET, HEAD";
            return OciErrorResult.WriteAsync(http, new OciError(OciErrorCode.Unsupported, "this registry is a read-only cache: push to the upstream itself"));
        }
        if (asked.Route == OciRoute.Base) return WriteBaseAsync(http);
        if (asked.Route == OciRoute.Catalog) return repositories.RunAsync(http);

        var ns = http.Request.Query["ns"].ToString();
        if (catalog.Resolve(ns, http.Request.Host.Value, asked.Name.ToString()) is not { } target)
            return OciErrorResult.WriteAsync(http, Unresolved(asked, ns));
        // The library/ that Docker Hub's names get may make one too long.
        if (target.Repository.Length > RepositoryName.MaxLength)
            return OciErrorResult.WriteAsync(http, new OciError(OciErrorCode.NameInvalid, $"repository name '{Shortened(target.Repository)}' has {target.Repository.Length} characters, at most {RepositoryName.MaxLength} are allowed"));
        if (ns.Length > 0) CommonHead.WriteNamespace(http.Response.Headers, ns);
        var pull = new PullRequest(http, target.Upstream, target.Repository) { StartedAt = startedAt, Namespace = ns };
        PullTrace.Begin(asked.Route, pull, asked.Digest?.ToString() ?? asked.Tag);
        return asked.Route switch
        {
            OciRoute.Blob => blobs.RunAsync(pull, asked.Digest!.Value),
            OciRoute.Manifest when asked.Digest is { } digest => manifests.ByDigestAsync(pull, digest),
            OciRoute.Manifest => manifests.ByTagAsync(pull, asked.Tag!),
            OciRoute.Referrers => referrers.RunAsync(pull, asked.Digest!.Value),
            _ => tags.RunAsync(pull, asked.Name.ToString()),
        };
    }

    /// <summary>Methods are told by case (RFC 9110 §9.1): ASP.NET Core's own comparison is not.</summary>
    private static bool IsRead(string method) => method == HttpMethods.Get || method == HttpMethods.Head;

    private static Task WriteBaseAsync(HttpContext http)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = 2;
        return http.Request.Method == HttpMethods.Head ? Task.CompletedTask : http.Response.Body.WriteAsync("{}"u8.ToArray(), http.RequestAborted).AsTask();
    }

    private OciError Unresolved(OciPath asked, string ns)
    {
        return ns.Length > 0
            ? new OciError(OciErrorCode.NameUnknown, $"no upstream '{Shortened(ns)}' is configured here; known: {string.Join(", ", catalog.All.Select(u => u.Name))}")
            : new OciError(OciErrorCode.NameUnknown, $"'{asked.Name}' is no repository of an upstream");
    }

    private static string Shortened(string text) => new([.. text.Take(128).Select(c => char.IsControl(c) ? '?' : c)]);

    /// <summary>The path as it was sent, still percent-encoded and with its dots: <see cref="OciPath"/> decodes it once. Of a proxy's absolute form (RFC 9112 §3.2.2), what is behind the host.</summary>
    private static string PathOf(HttpContext http)
    {
        var target = http.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var scheme = target.IndexOf("://", StringComparison.Ordinal);
        var start = target.StartsWith('/') ? 0 : scheme < 0 ? -1 : target.IndexOf('/', scheme + 3);
        if (start < 0) return http.Request.Path.Value ?? "/";
        var query = target.IndexOf('?', start);
        return query < 0 ? target[start..] : target[start..query];
    }

    private static Task FailAsync(HttpContext http, OciError error)
    {
        // A body that has begun ends short of its length: the connection closes and the client resumes.
        if (http.Response.HasStarted) return Task.CompletedTask;
        Activity.Current?.SetStatus(ActivityStatusCode.Error);
        http.Response.Headers.Remove("X-Cache");
        return OciErrorResult.WriteAsync(http, error);
    }
}
