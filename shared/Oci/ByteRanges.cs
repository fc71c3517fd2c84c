namespace Entrepot.Oci;

/// <summary>
/// What a Range header asks of content of a known size. A closed set: <see cref="Ignored"/> (answer 200 with everything),
/// <see cref="Unsatisfiable"/> (416), <see cref="Satisfiable"/> (206). Source: RFC 9110 §14.1.2 and §14.2.
/// </summary>
public abstract record ByteRanges
{
    /// <summary>More ranges than this in one header are ignored, which the RFC allows and podman copes with.</summary>
    public const int MaxCount = 16;

    private static readonly Ignored IgnoredResult = new();
    private static readonly Unsatisfiable UnsatisfiableResult = new();

    private ByteRanges()
    {
    }

    /// <summary>Reads a Range header; never throws for what it holds.</summary>
    /// <remarks>
    /// Two choices go beyond the RFC. A reversed range (<c>500-0</c>) is unsatisfiable, not ignored: OCI's conformance suite asks for 416.
    /// Several ranges that together are longer than the content are ignored: overlaps must not multiply what one request costs.
    /// </remarks>
    /// <param name="header">The header's value, lines joined by commas; null when it is absent.</param>
    /// <param name="size">The content's size in bytes.</param>
    public static ByteRanges Parse(string? header, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var rest = header.AsSpan().Trim();
        if (!rest.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase))
            return IgnoredResult;

        rest = rest["bytes=".Length..];
        Span<ByteRange> ranges = stackalloc ByteRange[MaxCount];
        var (seen, held, reversed, tooMuch, left) = (0, 0, false, false, size);
        while (!rest.IsEmpty)
        {
            var comma = rest.IndexOf(',');
            var spec = (comma < 0 ? rest : rest[..comma]).Trim();
            rest = comma < 0 ? default : rest[(comma + 1)..];
            if (spec.IsEmpty)
                continue;

            if (++seen > MaxCount || !TryPositions(spec, out var first, out var last))
                return IgnoredResult;

            reversed |= first > last && last >= 0;
            var range = Resolve(first, last, size);
            if (range.Length > 0)
            {
                ranges[held++] = range;
                tooMuch |= range.Length > left;
                left = Math.Max(0, left - range.Length);
            }
        }

        if (seen == 0 || (tooMuch && !reversed))
            return IgnoredResult;

        return reversed || held == 0 ? UnsatisfiableResult : new Satisfiable(ranges[..held].ToArray());
    }

    /// <summary>Reads <c>first-last</c>: a missing last is −1, a missing first (a suffix) is −1.</summary>
    private static bool TryPositions(ReadOnlySpan<char> spec, out long first, out long last)
    {
        (first, last) = (-1, -1);
        var dash = spec.IndexOf('-');
        return dash >= 0 && spec.Length > 1
            && (dash == 0 || TryNumber(spec[..dash], out first))
            && (dash == spec.Length - 1 || TryNumber(spec[(dash + 1)..], out last));
    }

    private static bool TryNumber(ReadOnlySpan<char> digits, out long number)
    {
        number = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit(digit))
                return false;

            // A number too big to hold is past the end of anything.
            number = number > (long.MaxValue - 9) / 10 ? long.MaxValue : (number * 10) + (digit - '0');
        }

        return true;
    }

    private static ByteRange Resolve(long first, long last, long size)
    {
        if (first < 0)
        {
            var length = Math.Min(last, size);
            return new ByteRange(size - length, length);
        }

        return first >= size ? default : new ByteRange(first, (last < 0 ? size : Math.Min(last, size - 1) + 1) - first);
    }

    /// <summary>No usable Range: none at all, another unit, bad syntax, too many or too much.</summary>
    public sealed record Ignored : ByteRanges;

    /// <summary>A valid Range of which the content holds no byte; always so for empty content.</summary>
    public sealed record Unsatisfiable : ByteRanges;

    /// <summary>At least one range the content holds.</summary>
    /// <param name="Ranges">As asked for and in that order, cut at the content's end, never merged; ranges past the end are left out.</param>
    public sealed record Satisfiable(IReadOnlyList<ByteRange> Ranges) : ByteRanges;
}
