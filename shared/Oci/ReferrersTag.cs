namespace Entrepot.Oci;

/// <summary>The tag that lists the referrers of a digest at registries without the API. Source: OCI distribution-spec v1.1, Referrers Tag Schema.</summary>
public static class ReferrersTag
{
    private const int MaxAlgorithm = 32;
    private const int MaxEncoded = 64;

    /// <summary>The tag: <c>algorithm-encoded</c>, cut to 32 and 64 characters, so that of a sha512 digest the first half is in it.</summary>
    public static string Of(Digest digest)
    {
        var (algorithm, encoded) = (digest.Algorithm, digest.Hex);
        return $"{algorithm[..Math.Min(MaxAlgorithm, algorithm.Length)]}-{encoded[..Math.Min(MaxEncoded, encoded.Length)]}";
    }
}
