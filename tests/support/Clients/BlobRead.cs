namespace Entrepot.TestSupport.Clients;

/// <summary>What a <see cref="BlobReader"/> got.</summary>
public sealed record BlobRead
{
    internal static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>The status.</summary>
    public required int Status { get; init; }

    /// <summary>All headers of the answer, by name (any case); several of one name are joined by comma.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>The digest of the bytes that came, <c>sha256:…</c>.</summary>
    public required string Digest { get; init; }

    /// <summary>How many bytes of body came.</summary>
    public required long BytesRead { get; init; }

    /// <summary>How the body ended.</summary>
    public required BodyEnd End { get; init; }

    /// <summary>When the request was sent, on <see cref="Running.TestClock"/>.</summary>
    public required TimeSpan StartedAt { get; init; }

    /// <summary>When the headers had come.</summary>
    public required TimeSpan HeadersAt { get; init; }

    /// <summary>When the first byte of body came, or null.</summary>
    public required TimeSpan? FirstByteAt { get; init; }

    /// <summary>When the body had ended.</summary>
    public required TimeSpan FinishedAt { get; init; }

    /// <summary>The longest time between two reads that brought bytes.</summary>
    public required TimeSpan LongestPause { get; init; }

    /// <summary>The pauses of 50 ms and more, in order.</summary>
    public required IReadOnlyList<(TimeSpan Began, TimeSpan Ended)> Pauses { get; init; }

    /// <summary>The body's text when it is an error's (status 400 and more, up to 64 KiB), otherwise "".</summary>
    public required string ErrorText { get; init; }

    /// <summary>The X-Cache header, or null.</summary>
    public string? XCache => Headers.GetValueOrDefault("X-Cache");

    /// <summary>The longest of the <see cref="Pauses"/> that ended at or after a moment, or zero.</summary>
    public TimeSpan LongestPauseSince(TimeSpan moment) => Pauses.Where(p => p.Ended >= moment).Select(p => p.Ended - p.Began).DefaultIfEmpty().Max();

    /// <summary>Whether the body ended as announced.</summary>
    public bool Completed => End == BodyEnd.Whole;

    /// <summary>From the request to the first byte of body; to the end when none came.</summary>
    public TimeSpan TimeToFirstByte => (FirstByteAt ?? FinishedAt) - StartedAt;

    /// <summary>From the request to the end.</summary>
    public TimeSpan Elapsed => FinishedAt - StartedAt;
}
