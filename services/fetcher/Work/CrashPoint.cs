using System.Diagnostics;
using System.Globalization;

namespace Entrepot.Fetcher.Work;

/// <summary>Lets the crash tests kill this process (SIGKILL) exactly after a numbered step: the environment variable ENTREPOT_KILL_AFTER_STEP. Costs one comparison.</summary>
internal static class CrashPoint
{
    private static readonly int Step =
        int.TryParse(Environment.GetEnvironmentVariable("ENTREPOT_KILL_AFTER_STEP"), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : 0;

    public static void Reached(int step)
    {
        if (step == Step) Process.GetCurrentProcess().Kill();
    }
}
