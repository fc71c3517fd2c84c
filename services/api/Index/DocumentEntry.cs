using Entrepot.Oci;

namespace Entrepot.Api.Index;

/// <summary>Which list: the tags of a repository (no reference), or what refers to a digest.</summary>
internal readonly record struct DocumentKey(ContentKey Content, Contracts.FetchKind Kind);

/// <summary>A list that an upstream gave, read once for all who ask for it.</summary>
internal sealed class DocumentEntry : IndexEntry
{
    private readonly Lazy<long> _weightBytes;
    private FailedCheck? _failedCheck;

    public DocumentEntry() =>
        _weightBytes = new(() => 300 + Tags.Sum(tag => 40L + (2 * tag.Length)) + Referrers.Sum(referrer => 300L + referrer.Json.Length));

    /// <summary>When the upstream gave it (timestamp).</summary>
    public required long CheckedAt { get; init; }

    /// <summary>The tags, sorted by bytes; empty when this is no list of tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The referrers in the upstream's order; empty when this is no list of them.</summary>
    public IReadOnlyList<Referrer> Referrers { get; init; } = [];

    /// <summary>The last check, when it failed.</summary>
    public FailedCheck? FailedCheck { get => Volatile.Read(ref _failedCheck); set => Volatile.Write(ref _failedCheck, value); }

    // Counted once: a list may have 100,000 entries.
    public override long WeightBytes => _weightBytes.Value;
}
