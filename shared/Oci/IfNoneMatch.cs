namespace Entrepot.Oci;

/// <summary>The If-None-Match header against content whose ETag is its digest. Source: RFC 9110 §13.1.2.</summary>
public static class IfNoneMatch
{
    /// <summary>
    /// Whether the client has the content already (answer 304). Understands lists, weak tags (compared weakly, as the RFC says), <c>*</c>,
    /// and digests without quotes, which some clients send; what it does not understand does not match. Allocates nothing, never throws.
    /// </summary>
    /// <param name="header">The header's value, lines joined by commas; null when it is absent.</param>
    /// <param name="digest">The digest of what would be answered.</param>
    public static bool Matches(string? header, Digest digest)
    {
        var wanted = digest.ToString().AsSpan();
        var rest = header.AsSpan();
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            if (rest.IsEmpty)
                return false;

            if (rest.StartsWith("W/\"", StringComparison.OrdinalIgnoreCase))
                rest = rest[2..];

            ReadOnlySpan<char> tag;
            if (rest[0] == '"')
            {
                var end = rest[1..].IndexOf('"');
                if (end < 0)
                    return false;

                tag = rest.Slice(1, end);
                rest = rest[(end + 2)..];
            }
            else
            {
                var comma = rest.IndexOf(',');
                tag = (comma < 0 ? rest : rest[..comma]).TrimEnd();
                rest = comma < 0 ? default : rest[comma..];
                if (tag is "*")
                    return true;
            }

            if (tag.SequenceEqual(wanted))
                return true;
        }
    }
}
