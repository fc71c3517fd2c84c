using System.Runtime.InteropServices;

namespace Entrepot.Bench.Running;

/// <summary>A program that Ctrl-C and SIGTERM end in order; a second one ends it at once, and the guardian of its processes ends what is left.</summary>
internal static class Interruptible
{
    /// <summary>Runs it.</summary>
    /// <param name="work">What to do; returns the exit code.</param>
    /// <returns>Its exit code; 2 for a <see cref="BenchException"/>, whose message is told; 130 when it was ended.</returns>
    public static async Task<int> RunAsync(Func<CancellationToken, Task<int>> work)
    {
        using var stop = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            return await work(stop.Token);
        }
        catch (Exception) when (stop.IsCancellationRequested) // What is cut in its middle fails in its own way.
        {
            await Console.Error.WriteLineAsync("bench: ended before its time");
            return 130;
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync($"bench: {e.Message}");
            return 2;
        }

        void Stop(PosixSignalContext signal)
        {
            Console.Error.WriteLine($"bench: {signal.Signal}");
            signal.Cancel = true;
            if (stop.IsCancellationRequested) Environment.Exit(130);
            stop.Cancel();
        }
    }
}
