using System.Text;
using Entrepot.Contracts;
using Entrepot.Oci;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

/// <summary>A client, content, and the fakes of one test.</summary>
public abstract class UpstreamTest : IAsyncLifetime
{
    protected const string Repository = "team/app";
    private readonly List<FakeRegistry> _fakes = [];

    protected static byte[] Content { get; } = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i:0000} bytes\n")));

    protected static Digest ContentDigest { get; } = Digest.Sha256Of(Content);

    protected UpstreamClient Client { get; } = new(TimeProvider.System);

    protected static CancellationToken None => CancellationToken.None;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        Client.Dispose();
        foreach (var fake in _fakes)
            await fake.DisposeAsync();
    }

    protected async Task<FakeRegistry> StartAsync(Func<HttpContext, FakeRegistry, Task> answer, System.Net.IPAddress? address = null)
    {
        var fake = await FakeRegistry.StartAsync(answer, address);
        _fakes.Add(fake);
        return fake;
    }

    protected Task<FakeRegistry> StartAsync(Action<HttpContext> answer) => StartAsync((context, _) =>
    {
        answer(context);
        return Task.CompletedTask;
    });

    protected static Upstream To(FakeRegistry fake, Action<UpstreamOptions>? configure = null, string name = "fake.test")
    {
        var options = new UpstreamOptions
        {
            Url = fake.Url,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            HeaderTimeout = TimeSpan.FromSeconds(5),
            StallTimeout = TimeSpan.FromSeconds(5),
        };
        configure?.Invoke(options);
        return new Upstream(name, options);
    }

    /// <summary>Sends content as a good registry does, ranges included.</summary>
    protected static async Task SendContentAsync(HttpContext context, byte[]? content = null)
    {
        content ??= Content;
        var (from, to) = (0, content.Length - 1);
        if (context.Request.GetTypedHeaders().Range?.Ranges.First() is { } range)
        {
            from = (int)range.From!;
            to = (int)Math.Min(range.To ?? to, to);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{to}/{content.Length}";
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = to - from + 1;
        if (context.Request.Method != "HEAD")
            await context.Response.Body.WriteAsync(content.AsMemory(from, to - from + 1));
    }

    protected static async Task<byte[]> ReadAsync(BlobStream stream)
    {
        using var all = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await stream.ReadAsync(buffer, None)) > 0)
            all.Write(buffer, 0, read);
        return all.ToArray();
    }

    protected Task<UpstreamResult<BlobStream>> OpenAsync(Upstream upstream, long from = 0, long? to = null, Uri? location = null) =>
        Client.OpenBlobAsync(upstream, Repository, ContentDigest, from, to, location, None);

    protected static UpstreamFailure AssertFailed<T>(FetchOutcome outcome, UpstreamResult<T> result)
    {
        Assert.False(result.IsSuccess);
        Assert.Equal(outcome, result.Failure!.Outcome);
        Assert.Contains("pstream fake.test", result.Failure.Message, StringComparison.Ordinal);
        return result.Failure;
    }
}
