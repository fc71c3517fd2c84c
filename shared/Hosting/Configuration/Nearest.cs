namespace Entrepot.Hosting.Configuration;

/// <summary>"Did you mean": the known name with the fewest letters changed.</summary>
internal static class Nearest
{
    /// <summary>The nearest of <paramref name="known"/>, or null when none is near.</summary>
    public static string? Find(string name, IEnumerable<string> known)
    {
        var limit = Math.Max(2, name.Length / 3) + 1;
        string? best = null;
        foreach (var candidate in known)
        {
            var distance = Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (distance < limit)
                (limit, best) = (distance, candidate);
        }

        return best;
    }

    // Levenshtein's distance, a swap of neighbours counting once: the commonest slip of the fingers.
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
