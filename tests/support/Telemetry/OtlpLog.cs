namespace Entrepot.TestSupport.Telemetry;

/// <summary>A log record as it arrived.</summary>
/// <param name="Service">The resource's <c>service.name</c>.</param>
/// <param name="Instance">The resource's <c>service.instance.id</c>.</param>
/// <param name="Category">Its instrumentation scope: the logger's category.</param>
/// <param name="TraceId">32 hexadecimal digits; empty outside of a trace.</param>
/// <param name="SpanId">16 hexadecimal digits; empty outside of a trace.</param>
/// <param name="Severity">The word for its level.</param>
/// <param name="Template">Its body: the message template, with its holes.</param>
/// <param name="Attributes">Its properties, their values as texts.</param>
public sealed record OtlpLog(
    string Service, string Instance, string Category, string TraceId, string SpanId, string Severity, string Template, IReadOnlyDictionary<string, string> Attributes);
