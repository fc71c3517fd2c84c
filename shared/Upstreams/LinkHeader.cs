namespace Entrepot.Upstreams;

/// <summary>The Link header by which registries page their lists. Source: RFC 8288; OCI distribution-spec v1.1, Listing tags.</summary>
internal static class LinkHeader
{
    /// <summary>The target of the link that leads to the next page; null when there is none.</summary>
    public static string? NextOrNull(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("Link", out var values))
            return null;

        foreach (var value in values)
        {
            var rest = value.AsSpan();
            while (rest.IndexOf('<') is var open and >= 0)
            {
                var close = rest[open..].IndexOf('>');
                if (close < 0)
                    break;
                var target = rest.Slice(open + 1, close - 1);
                rest = rest[(open + close + 1)..];
                var parameters = rest.IndexOf('<') is var following and >= 0 ? rest[..following] : rest;
                if (IsNext(parameters))
                    return target.Trim().ToString();
            }
        }

        return null;
    }

    private static bool IsNext(ReadOnlySpan<char> parameters)
    {
        foreach (var part in parameters.SplitAny(';', ','))
        {
            var parameter = parameters[part].Trim();
            if (parameter.StartsWith("rel", StringComparison.OrdinalIgnoreCase)
                && parameter[3..].TrimStart() is ['=', .. var relation]
                && relation.Trim().Trim('"').Equals("next", StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
