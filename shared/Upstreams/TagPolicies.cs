using System.Text.RegularExpressions;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>The policy of each tag of one upstream, by its patterns. Immutable and thread-safe; patterns are compiled when first needed.</summary>
public sealed class TagPolicies
{
    private readonly UpstreamOptions _options;
    private readonly Lazy<(Regex[] Immutable, Regex[] Exclusions, (Regex Pattern, TimeSpan Ttl)[] Ttls)> _patterns;

    internal TagPolicies(UpstreamOptions options)
    {
        _options = options;
        _patterns = new(() => (
            [.. options.ImmutableTags.Select(Compile)],
            [.. options.ImmutableTagExclusions.Select(Compile)],
            [.. options.TagTtls.Select(pair => (Compile(pair.Key), pair.Value))]));
    }

    private static readonly TimeSpan LongestListTtl = TimeSpan.FromMinutes(1);

    /// <summary>How long a list counts: of tags a minute at most, because new tags are looked for in it.</summary>
    public TimeSpan TtlOf(FetchKind list) =>
        list == FetchKind.Referrers ? Signatures.Ttl : _options.TagTtl < LongestListTtl ? _options.TagTtl : LongestListTtl;

    /// <summary>The policy of tags that hold signatures, and of lists of referrers: never older than other tags may be.</summary>
    public TagPolicy Signatures => new(
        _options.SignatureTagTtl < _options.TagTtl ? _options.SignatureTagTtl : _options.TagTtl, _options.SignatureTagTtl, IsImmutable: false);

    /// <summary>
    /// The policy of this tag. Of several TTL patterns that match the shortest counts, so that their order does not matter. A tag that stands for
    /// a digest (<see cref="FallbackTag"/>) has a TTL of its own and is never immutable: signatures are added to it.
    /// </summary>
    public TagPolicy Of(string tag)
    {
        ArgumentNullException.ThrowIfNull(tag);
        if (FallbackTag.Is(tag))
            return Signatures;

        var (immutable, exclusions, ttls) = _patterns.Value;
        var ttl = ttls.Where(t => t.Pattern.IsMatch(tag)).Select(t => t.Ttl).DefaultIfEmpty(_options.TagTtl).Min();
        var isImmutable = Array.Exists(immutable, p => p.IsMatch(tag)) && !Array.Exists(exclusions, p => p.IsMatch(tag));
        return new TagPolicy(ttl, _options.NotFoundTtl, isImmutable);
    }

    /// <summary>Linear in the length of the tag, whatever the pattern: tags come from clients.</summary>
    /// <exception cref="ArgumentException">It is no regular expression.</exception>
    /// <exception cref="NotSupportedException">It looks around or refers back, which can't be matched in linear time.</exception>
    internal static Regex Compile(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}
