using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Entrepot.Hosting.Serving;

/// <summary>
/// Stops the process in order: 1. a first SIGTERM or SIGINT makes it not ready; 2. after DrainDelay, and when no <see cref="IBeforeStop"/> waits for anything, the host stops,
/// and with it Kestrel takes no more connections and lets running responses end (<see cref="GraceServer"/>); 3. a second signal ends it at once.
/// </summary>
internal sealed partial class SignalLifetime(
    Draining draining, IHostApplicationLifetime application, IEnumerable<IBeforeStop> waits, PlatformOptions options, TimeProvider time, ILogger<SignalLifetime> logger) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _registrations.ForEach(r => r.Dispose());

    // Not cancelling the second one leaves it to the runtime, which ends the process.
    private void OnSignal(PosixSignalContext context) => context.Cancel = Stop(context.Signal.ToString());

    /// <summary>Begins to stop; false when that has already begun.</summary>
    internal bool Stop(string reason)
    {
        if (!draining.Begin())
            return false;
        Stopping(logger, reason, options.DrainDelay.TotalSeconds, options.ShutdownGrace.TotalSeconds);
        _ = StopInTimeAsync();
        return true;
    }

    private async Task StopInTimeAsync()
    {
        if (options.DrainDelay > TimeSpan.Zero) await Task.Delay(options.DrainDelay, time);
        using var grace = new CancellationTokenSource(options.ShutdownGrace, time);
        await Task.WhenAll(waits.Select(wait => wait.WaitAsync(grace.Token))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        application.StopApplication();
    }

    [LoggerMessage(9001, LogLevel.Information, "{Reason}: not ready from now on, new requests taken for {DrainDelaySeconds} s more, running ones may go on for {ShutdownGraceSeconds} s")]
    private static partial void Stopping(ILogger logger, string reason, double drainDelaySeconds, double shutdownGraceSeconds);
}
