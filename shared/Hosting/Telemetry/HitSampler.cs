using System.Buffers.Binary;
using System.Diagnostics;
using OpenTelemetry;

namespace Entrepot.Hosting.Telemetry;

/// <summary>
/// Keeps one of so many cache hits out of the exporter, and everything else in it. What an answer was is known only after its span has
/// begun, so the decision falls at the end: every span that <see cref="UpkeepSampler"/> lets begin is recorded; whoever answers tags the
/// request's span <c>entrepot.cache</c> with <c>HIT</c>, <c>MISS</c>, <c>COALESCED</c> or <c>STALE</c> as soon as it knows, before it opens
/// the store. When a span ends that is, or lies in this process below, one tagged <c>HIT</c>, and that is no error, and whose trace is not
/// one of the chosen, this takes its Recorded flag and the exporter behind passes it by. Choosing by trace id makes every replica choose the same traces. Most hits never
/// come here: <see cref="IShortcut"/> answers them, and chooses for itself (<see cref="ChosenForTrace"/>).
/// </summary>
internal sealed class HitSampler(int oneOf) : BaseProcessor<Activity>
{
    /// <summary>The tag that tells what an answer was.</summary>
    public const string CacheTag = "entrepot.cache";

    public override void OnEnd(Activity data)
    {
        if (data.Status != ActivityStatusCode.Error && IsHit(data) && !IsChosen(data.TraceId))
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
    }

    private static bool IsHit(Activity activity)
    {
        for (var above = activity; above is not null; above = above.Parent)
        {
            if (above.GetTagItem(CacheTag) is string answer)
                return answer == "HIT" && above.GetTagItem(ChosenForTrace.Tag) is null;
        }

        return false;
    }

    private bool IsChosen(ActivityTraceId trace)
    {
        if (oneOf == 0)
            return false;
        Span<byte> bytes = stackalloc byte[16];
        trace.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) % (ulong)oneOf == 0;
    }
}
