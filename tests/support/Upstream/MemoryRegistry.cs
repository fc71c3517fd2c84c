using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Upstream;

/// <summary>
/// A registry in memory that holds whatever a test puts there, right or wrong: the backend of an <see cref="UpstreamFront"/> when a real
/// registry would refuse the content. Read-only over HTTP. Safe to use from several threads.
/// </summary>
public sealed class MemoryRegistry : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, MemoryRepository> _repositories = new();
    private readonly ConcurrentDictionary<string, MemoryAnswer> _scripted = new();
    private readonly ConcurrentQueue<MemoryRequest> _requests = new();
    private readonly LoopbackServer _server;

    private MemoryRegistry() => _server = new LoopbackServer(HandleAsync);

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Url => _server.Url;

    /// <summary>Every request that came, in order.</summary>
    public IReadOnlyList<MemoryRequest> Requests => [.. _requests];

    /// <summary>Starts an empty one.</summary>
    public static async Task<MemoryRegistry> StartNewAsync(CancellationToken cancellationToken = default)
    {
        var registry = new MemoryRegistry();
        await registry._server.StartAsync(cancellationToken);
        return registry;
    }

    /// <summary>A repository, made when it is not there.</summary>
    public MemoryRepository Repository(string name) => _repositories.GetOrAdd(name, _ => new MemoryRepository());

    /// <summary>Forgets a repository with all it holds.</summary>
    public void Remove(string name) => _repositories.TryRemove(name, out _);

    /// <summary>Answers a path so from now on, whatever is held there; null ends it.</summary>
    /// <param name="path">Without the query.</param>
    /// <param name="answer">For GET and HEAD.</param>
    public void Script(string path, MemoryAnswer? answer)
    {
        if (answer is null) _scripted.TryRemove(path, out _);
        else _scripted[path] = answer;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var path = request.Path.Value ?? "";
        _requests.Enqueue(new MemoryRequest(
            request.Method, path, request.QueryString.Value ?? "", request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString())));
        context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        if (_scripted.TryGetValue(path, out var scripted)) return MemoryAnswers.WriteAsync(context, scripted);
        if (path is "/v2/" or "/v2") return MemoryAnswers.WriteAsync(context, new MemoryAnswer(200, "{}"u8.ToArray(), "application/json"));

        foreach (var word in new[] { "/manifests/", "/blobs/", "/referrers/", "/tags/list" })
        {
            var at = path.LastIndexOf(word, StringComparison.Ordinal);
            if (at <= "/v2".Length || !path.StartsWith("/v2/", StringComparison.Ordinal)) continue;
            var rest = path[(at + word.Length)..];
            if (rest.Contains('/', StringComparison.Ordinal)) continue;
            return _repositories.TryGetValue(path["/v2/".Length..at], out var repository)
                ? MemoryAnswers.AnswerAsync(context, repository, word.Trim('/'), rest)
                : OciError.WriteAsync(context, 404, "no such repository", "NAME_UNKNOWN");
        }

        return OciError.WriteAsync(context, 404, "no such path");
    }
}
