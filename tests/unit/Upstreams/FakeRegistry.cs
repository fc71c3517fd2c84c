using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Entrepot.UnitTests.Upstreams;

/// <summary>What a request to a <see cref="FakeRegistry"/> looked like.</summary>
public sealed record SeenRequest(string Method, string Path, string Query, string? Authorization, string? Range, string? AcceptEncoding, string? Accept);

/// <summary>A real Kestrel on a free loopback port that answers as a test says and keeps what it was asked.</summary>
public sealed class FakeRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _closing = new();

    private FakeRegistry(WebApplication app) => _app = app;

    public Uri Url { get; private set; } = null!;

    public ConcurrentQueue<SeenRequest> Seen { get; } = new();

    /// <summary>Ends when the fake is closed: for handlers that hang.</summary>
    public CancellationToken Closing => _closing.Token;

    public static async Task<FakeRegistry> StartAsync(Func<HttpContext, FakeRegistry, Task> answer, IPAddress? address = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address ?? IPAddress.Loopback, 0));
        var app = builder.Build();
        var fake = new FakeRegistry(app);
        app.Run(async context =>
        {
            var headers = context.Request.Headers;
            fake.Seen.Enqueue(new SeenRequest(context.Request.Method, context.Request.Path, context.Request.QueryString.Value ?? "",
                headers.Authorization, headers.Range, headers.AcceptEncoding, headers.Accept));
            await answer(context, fake);
        });
        await app.StartAsync();
        fake.Url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return fake;
    }

    public int Count(string pathPart) => Seen.Count(request => request.Path.Contains(pathPart, StringComparison.Ordinal));

    /// <summary>Answers 401 with a challenge of Docker Hub's form, whose realm is this fake's <c>/token</c>.</summary>
    public void Challenge(HttpContext context, string repository, string? realm = null)
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{realm ?? Url + "token"}\",service=\"fake\",scope=\"repository:{repository}:pull\"";
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // A handler that hangs is part of some tests.
        }

        await _app.DisposeAsync();
        _closing.Dispose();
    }
}
