namespace Entrepot.Hosting.Configuration;

/// <summary>Byte counts as people write them: <c>10GiB</c> (powers of 1024), <c>512MB</c> (powers of 1000), plain bytes.</summary>
internal static class ByteSizeText
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1), ("", 1),
    ];

    /// <summary>Reads a size; <c>10G</c> is refused because it may mean either.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        var split = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        var unit = text[split..].Trim();
        foreach (var (name, size) in Units)
        {
            if (!name.Equals(unit, StringComparison.OrdinalIgnoreCase))
                continue;
            if (!decimal.TryParse(text.AsSpan(0, split), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
                || count > long.MaxValue / size)
                return false;
            bytes = (long)(count * size);
            return true;
        }

        return false;
    }

    /// <summary>The shortest whole form, one that <see cref="TryParse"/> reads back.</summary>
    public static string Format(long bytes)
    {
        foreach (var (name, size) in Units)
        {
            if (name is "TiB" or "GiB" or "MiB" or "KiB" && bytes >= size && bytes % size == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / size}{name}");
        }

        return bytes.ToString(CultureInfo.InvariantCulture);
    }
}
