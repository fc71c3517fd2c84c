using System.Net;
using Entrepot.TestSupport.Upstream;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Product;

/// <summary>An S3 server that can be told to list no uploads, as some do; everything else is the answer of the one behind it. Safe to use from several threads.</summary>
public sealed class S3Front : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None });
    private readonly LoopbackServer _server;
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
        await _server.DisposeAsync();
        _client.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (request.Method == "GET" && request.Query.ContainsKey("uploads") && !ListsUploads)
        {
            response.ContentType = "application/xml";
            await response.WriteAsync("<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>", context.RequestAborted);
            return;
        }

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
}
