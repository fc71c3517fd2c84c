using System.Buffers;

namespace Entrepot.Oci;

/// <summary>
/// Tags that stand for a digest: <c>sha256-HEX</c> lists its referrers where a registry has no referrers API (<see cref="ReferrersTag"/>), and <c>sha256-HEX.sig</c>,
/// <c>.att</c>, <c>.sbom</c> hold what cosign attached to it. Source: OCI distribution-spec v1.1, Referrers tag schema; cosign's tag-based discovery.
/// </summary>
public static class FallbackTag
{
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    /// <summary>Whether a tag is of this shape. Such a tag appears and changes after the image it speaks of, and most images have none.</summary>
    public static bool Is(ReadOnlySpan<char> tag)
    {
        var hex = tag.StartsWith("sha256-", StringComparison.Ordinal) || tag.StartsWith("sha512-", StringComparison.Ordinal) ? tag["sha256-".Length..] : default;
        var dot = hex.IndexOf('.');
        var encoded = dot < 0 ? hex : hex[..dot];
        return encoded.Length is 64 or 128 && !encoded.ContainsAnyExcept(LowerHex);
    }
}
