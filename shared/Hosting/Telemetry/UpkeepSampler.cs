using System.Diagnostics;
using OpenTelemetry.Trace;

namespace Entrepot.Hosting.Telemetry;

/// <summary>
/// Keeps out what no request asked for: the statements, requests and messages of timers, which come every second and would drown the pulls. A trace begins with a
/// request, or with a job whose asker traces nothing; whatever lies below a recorded span is recorded. What <see cref="HitSampler"/> makes of it comes later.
/// </summary>
internal sealed class UpkeepSampler : Sampler
{
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var (kind, parent) = (samplingParameters.Kind, samplingParameters.ParentContext);
        var isKept = kind == ActivityKind.Server
            || (parent.TraceId == default ? kind is not (ActivityKind.Client or ActivityKind.Producer) : parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded));
        return new SamplingResult(isKept ? SamplingDecision.RecordAndSample : SamplingDecision.Drop);
    }
}
