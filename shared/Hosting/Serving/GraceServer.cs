using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Entrepot.Hosting.Serving;

/// <summary>
/// Kestrel, given <see cref="PlatformOptions.ShutdownGrace"/> to end running responses. The host's own limit is for everything
/// together: without this a slow client would leave nothing of it to the services that stop after the server.
/// </summary>
internal sealed class GraceServer(IServer kestrel, PlatformOptions options, Draining draining, IShortcut? shortcut) : IServer
{
    private static readonly TimeSpan UntilReset = TimeSpan.FromSeconds(1);

    public IFeatureCollection Features => kestrel.Features;

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull =>
        kestrel.StartAsync(new ShortcutApplication<TContext>(application, shortcut), cancellationToken);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A stop that no signal began is one too.
        draining.Begin();
        draining.Close();
        // What others came for while the server was still open is a part of the same time.
        var grace = options.DrainDelay + options.ShutdownGrace - draining.Elapsed;
        if (grace < TimeSpan.Zero) grace = TimeSpan.Zero;
        if (grace > options.ShutdownGrace) grace = options.ShutdownGrace;
        using var reset = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        reset.CancelAfter(grace + UntilReset);
        var stopping = kestrel.StopAsync(reset.Token);
        await stopping.WaitAsync(grace, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        draining.EndGrace();
        await stopping;
    }

    public void Dispose() => kestrel.Dispose();
}
