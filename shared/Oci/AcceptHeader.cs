namespace Entrepot.Oci;

/// <summary>The Accept header of a manifest request. Source: RFC 9110 §12.5.1.</summary>
public static class AcceptHeader
{
    /// <summary>
    /// False when the client names manifests it can read and an index is none of them: it would take the index for an image. No header, a
    /// wildcard, or types that are no manifests at all say nothing about it, and content is served as it is stored. Allocates nothing, never throws.
    /// </summary>
    /// <param name="header">The header's value, lines joined by commas; null when it is absent.</param>
    public static bool AllowsIndex(string? header)
    {
        var namesManifest = false;
        var rest = header.AsSpan();
        while (!rest.IsEmpty)
        {
            var comma = rest.IndexOf(',');
            var range = (comma < 0 ? rest : rest[..comma]).Trim();
            rest = comma < 0 ? default : rest[(comma + 1)..];

            var semicolon = range.IndexOf(';');
            var type = (semicolon < 0 ? range : range[..semicolon]).TrimEnd();
            if (semicolon >= 0 && IsRefused(range[semicolon..]))
            {
                namesManifest |= MediaTypes.IsIndex(type);
                continue;
            }
            if (type is "*/*" || type.Equals("application/*", StringComparison.OrdinalIgnoreCase) || MediaTypes.IsIndex(type)) return true;
            namesManifest |= MediaTypes.IsManifest(type);
        }
        return !namesManifest;
    }

    /// <summary>Whether the parameters hold a weight of nought: "not acceptable".</summary>
    private static bool IsRefused(ReadOnlySpan<char> parameters)
    {
        foreach (var part in parameters.Split(';'))
        {
            var parameter = parameters[part].Trim();
            if (parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase) && parameter.Length > 2 && !parameter[2..].ContainsAnyExcept("0.")) return true;
        }
        return false;
    }
}
