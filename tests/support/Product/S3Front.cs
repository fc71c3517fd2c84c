using System.Collections.Concurrent;
using System.Net;
using Entrepot.TestSupport.Upstream;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Product;

/// <summary>An S3 server that can be told to list no uploads, to keep no rules and to make no buckets, as some do, and to fail; everything else is the answer of the one behind it. Safe to use from several threads.</summary>
public sealed class S3Front : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None });
    private readonly FaultList _faults = new();
    private readonly LoopbackServer _server;
    private readonly ConcurrentQueue<string> _bucketRequests = new();
    private readonly Uri _backend;

    private S3Front(Uri backend)
    {
        _backend = backend;
        _server = new LoopbackServer(AnswerAsync);
    }

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Url => _server.Url;

    /// <summary>Whether it lists uploads truthfully, or says that there are none.</summary>
    public bool ListsUploads { get; set; } = true;

    /// <summary>Whether it keeps rules for a bucket, or answers as MinIO does to one about uploads.</summary>
    public bool KeepsRules { get; set; } = true;

    /// <summary>Whether the key may make a bucket.</summary>
    public bool MakesBuckets { get; set; } = true;

    /// <summary>What was asked of a bucket as a whole, in order: <c>PUT /entrepot</c>, <c>PUT /entrepot?lifecycle</c>, <c>GET /entrepot?list-type</c>.</summary>
    public IReadOnlyList<string> BucketRequests => [.. _bucketRequests];

    /// <summary>Plays a fault instead of an answer on GETs of objects whose key contains <paramref name="keyContains"/>: a status, a hang, a drop.</summary>
    public InjectedFault Inject(Fault fault, string keyContains, int count = int.MaxValue) => _faults.Add(fault, keyContains, count);

    /// <summary>Plays no fault any more, and can do all it can.</summary>
    public void HealAll()
    {
        _faults.HealAll();
        (ListsUploads, KeepsRules, MakesBuckets) = (true, true, true);
    }

    /// <summary>Starts one in front of this server, which may come up later.</summary>
    public static async Task<S3Front> StartNewAsync(Uri backend, CancellationToken cancellationToken = default)
    {
        var front = new S3Front(backend);
        await front._server.StartAsync(cancellationToken);
        return front;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _faults.HealAll();
        await _server.DisposeAsync();
        _client.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = request.Path.Value!.TrimEnd('/');
        if (path.LastIndexOf('/') == 0)
        {
            var asked = $"{request.Method} {path}{(request.Query.Keys.FirstOrDefault(key => key is "lifecycle" or "list-type" or "uploads") is { } about ? "?" + about : "")}";
            _bucketRequests.Enqueue(asked);
            if (!KeepsRules && asked.EndsWith("?lifecycle", StringComparison.Ordinal))
            {
                if (request.Method == "GET") await RefuseAsync(response, 404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist");
                else await RefuseAsync(response, 400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema.");
                return;
            }
            if (!MakesBuckets && request.Method == "PUT" && !asked.Contains('?', StringComparison.Ordinal))
            {
                await RefuseAsync(response, 403, "AccessDenied", "Access Denied.");
                return;
            }
        }
        if (request.Method == "GET" && request.Query.ContainsKey("uploads") && !ListsUploads)
        {
            response.ContentType = "application/xml";
            await response.WriteAsync("<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>", context.RequestAborted);
            return;
        }
        if (request.Method == "GET" && await Exchange.PlayInsteadOfAnswerAsync(_faults, context, new RecordedRequest("GET", request.Path.Value ?? "", "", null, hasAuthorization: false, userAgent: null))) return;

        using var passed = new HttpRequestMessage(new HttpMethod(request.Method), new Uri(_backend, request.Path.ToUriComponent() + request.QueryString.ToUriComponent()));
        if (request.ContentLength is not null) passed.Content = new StreamContent(request.Body);
        foreach (var (name, values) in request.Headers)
            if (!passed.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                passed.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        using var answer = await _client.SendAsync(passed, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            if (!name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase) && !name.Equals("Connection", StringComparison.OrdinalIgnoreCase))
                response.Headers[name] = values.ToArray();
        await answer.Content.CopyToAsync(response.Body, context.RequestAborted);
    }

    private static Task RefuseAsync(HttpResponse response, int status, string code, string message)
    {
        response.StatusCode = status;
        response.ContentType = "application/xml";
        return response.WriteAsync($"<Error><Code>{code}</Code><Message>{message}</Message></Error>", response.HttpContext.RequestAborted);
    }
}
