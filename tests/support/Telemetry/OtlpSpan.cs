namespace Entrepot.TestSupport.Telemetry;

/// <summary>A span as it arrived.</summary>
/// <param name="Service">The resource's <c>service.name</c>.</param>
/// <param name="Instance">The resource's <c>service.instance.id</c>.</param>
/// <param name="Source">Its instrumentation scope: the activity source's name.</param>
/// <param name="TraceId">32 hexadecimal digits.</param>
/// <param name="Id">16 hexadecimal digits.</param>
/// <param name="ParentId">Those of the span it lies below; empty at the root.</param>
/// <param name="Name">Its name.</param>
/// <param name="StartNs">When it began, in Unix nanoseconds.</param>
/// <param name="EndNs">When it ended.</param>
/// <param name="Attributes">Their values as texts.</param>
public sealed record OtlpSpan(
    string Service, string Instance, string Source, string TraceId, string Id, string ParentId, string Name, ulong StartNs, ulong EndNs, IReadOnlyDictionary<string, string> Attributes);
