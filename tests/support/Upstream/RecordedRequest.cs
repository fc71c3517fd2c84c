using System.Globalization;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Upstream;

/// <summary>One request that reached an upstream, and what became of it. Read while it runs it tells how far it has come.</summary>
public sealed class RecordedRequest
{
    private long _bytesSent;

    internal RecordedRequest(string method, string path, string query, string? range, bool hasAuthorization, string? userAgent)
    {
        Method = method;
        Path = path;
        Query = query;
        Range = range;
        HasAuthorization = hasAuthorization;
        UserAgent = userAgent;
        StartedAt = TestClock.Now;
    }

    /// <summary>GET, HEAD, …</summary>
    public string Method { get; }

    /// <summary>The path without the query.</summary>
    public string Path { get; }

    /// <summary>The query with its question mark, or "".</summary>
    public string Query { get; }

    /// <summary>The Range header, or null.</summary>
    public string? Range { get; }

    /// <summary>Whether the request carried an Authorization header.</summary>
    public bool HasAuthorization { get; }

    /// <summary>The User-Agent header, or null.</summary>
    public string? UserAgent { get; }

    /// <summary>The status that was answered; 0 when nothing has been answered.</summary>
    public int Status { get; internal set; }

    /// <summary>Body bytes handed to the kernel so far.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Position of the first body byte within the blob: that of Content-Range, otherwise 0.</summary>
    public long FirstByte { get; internal set; }

    /// <summary>Size of the whole blob when the answer told it, otherwise null.</summary>
    public long? TotalSize { get; internal set; }

    /// <summary>When the request came, on <see cref="TestClock"/>.</summary>
    public TimeSpan StartedAt { get; }

    /// <summary>The moment before the first body byte was sent, or null.</summary>
    public TimeSpan? FirstByteAt { get; private set; }

    /// <summary>When the exchange ended, well or not; null while it runs.</summary>
    public TimeSpan? FinishedAt { get; internal set; }

    /// <summary>Whether the whole answer was sent as announced.</summary>
    public bool Completed { get; internal set; }

    /// <summary>The fault that was played, or null.</summary>
    public FaultKind? Fault { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{StartedAt.TotalSeconds:0.000} {Method} {Path}{Query} range={Range ?? "-"} auth={(HasAuthorization ? "yes" : "no")} -> {Status} from={FirstByte} bytes={BytesSent} {(FinishedAt is null ? "running" : Completed ? "complete" : "cut")} fault={Fault?.ToString() ?? "-"}");

    internal void AboutToSend() => FirstByteAt ??= TestClock.Now;

    internal void CountSent(int bytes) => Interlocked.Add(ref _bytesSent, bytes);
}
