using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Entrepot.IntegrationTests;

/// <summary>A registry that says what a test put into it: the referrers API and signed schema 1, which Debian's registry does not have. Safe to use from several threads.</summary>
internal sealed partial class ScriptedRegistry : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, (byte[] Bytes, string MediaType, string Digest)> _content = new();
    private readonly ConcurrentDictionary<string, string[][]> _referrers = new();
    private readonly int _port = FreePort.Next();
    private WebApplication? _app;

    public Uri Url => new($"http://127.0.0.1:{_port}");

    /// <summary>Method, path and query of every request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Status and body that stand for the referrers API where no pages were set; null is an empty list.</summary>
    public (int Status, string MediaType, string Body)? ReferrersAnswer { get; set; }

    /// <summary>Status of every answer, when it is not 0.</summary>
    public int Refusal { get; set; }

    public static async Task<ScriptedRegistry> StartNewAsync()
    {
        var registry = new ScriptedRegistry();
        await registry.StartAsync();
        return registry;
    }

    /// <summary>Adds a manifest by its digest and a tag.</summary>
    /// <returns>Its digest.</returns>
    public string Add(string repository, byte[] manifest, string mediaType, string? tag = null, string? digest = null)
    {
        digest ??= Content.DigestOf(manifest);
        _content[$"{repository}/manifests/{digest}"] = (manifest, mediaType, digest);
        if (tag is not null) _content[$"{repository}/manifests/{tag}"] = (manifest, mediaType, digest);
        return digest;
    }

    public string AddBlob(string repository, byte[] blob)
    {
        var digest = Content.DigestOf(blob);
        _content[$"{repository}/blobs/{digest}"] = (blob, "application/octet-stream", digest);
        return digest;
    }

    /// <summary>Sets the pages of a digest's referrers, each of descriptors.</summary>
    public void SetReferrers(string repository, string digest, params string[][] pages) => _referrers[$"{repository}/referrers/{digest}"] = pages;

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, _port));
        _app = builder.Build();
        _app.Run(AnswerAsync);
        await _app.StartAsync();
    }

    public async Task StopAsync()
    {
        if (_app is null) return;
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Connections that are kept alive were cut.
        }

        await _app.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        Requests.Enqueue($"{request.Method} {request.Path}{request.QueryString}");
        var path = request.Path.Value!["/v2/".Length..];
        var repository = RepositoryOf().Match(path).Value;
        if (Refusal != 0)
        {
            response.StatusCode = Refusal;
        }
        else if (_content.TryGetValue(path, out var content))
        {
            response.ContentType = content.MediaType;
            response.ContentLength = content.Bytes.Length;
            response.Headers["Docker-Content-Digest"] = content.Digest;
            if (request.Method != "HEAD") await response.Body.WriteAsync(content.Bytes);
        }
        else if (_referrers.TryGetValue(path, out var pages))
        {
            var number = request.Query["page"].ToString() is { Length: > 0 } page ? int.Parse(page, System.Globalization.CultureInfo.InvariantCulture) : 1;
            // One relative to the page, the next absolute: registries do both.
            if (number < pages.Length) response.Headers.Link = $"<{(number % 2 == 0 ? $"{Url}v2/{path}" : "")}?page={number + 1}>; rel=\"next\"";
            response.ContentType = MediaTypes.OciIndex;
            await response.WriteAsync($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(", ", pages[number - 1])}}]}""");
        }
        else if (path.Contains("/referrers/", StringComparison.Ordinal) && _content.Keys.Any(key => key.StartsWith(repository + "/", StringComparison.Ordinal)))
        {
            var (status, mediaType, body) = ReferrersAnswer ?? (200, MediaTypes.OciIndex, """{"schemaVersion":2,"manifests":[]}""");
            (response.StatusCode, response.ContentType) = (status, mediaType);
            await response.WriteAsync(body);
        }
        else
        {
            response.StatusCode = 404;
            response.ContentType = "application/json";
            if (request.Method != "HEAD") await response.Body.WriteAsync(Encoding.UTF8.GetBytes("""{"errors":[{"code":"NAME_UNKNOWN"}]}"""));
        }
    }

    [GeneratedRegex("^.*(?=/(manifests|blobs|referrers)/)")]
    private static partial Regex RepositoryOf();
}
