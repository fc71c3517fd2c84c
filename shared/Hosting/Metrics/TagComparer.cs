using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Hosting.Metrics;

/// <summary>
/// Measurements' tags as a key: by label name and text, in any order, an empty text being no label. Looking up tags that are known
/// allocates nothing for texts, booleans and numbers.
/// </summary>
internal sealed class TagComparer : IEqualityComparer<KeyValuePair<string, string>[]>,
    IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, KeyValuePair<string, string>[]>
{
    private const int LongestNumber = 64;

    public bool Equals(KeyValuePair<string, string>[]? x, KeyValuePair<string, string>[]? y) =>
        ReferenceEquals(x, y) || (x is not null && y is not null && x.AsSpan().SequenceEqual(y));

    public int GetHashCode([DisallowNull] KeyValuePair<string, string>[] obj)
    {
        var hash = 0;
        foreach (var (name, value) in obj)
            hash += Hash(name, value);
        return hash;
    }

    public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, KeyValuePair<string, string>[] other)
    {
        Span<char> buffer = stackalloc char[LongestNumber];
        var matched = 0;
        foreach (var (name, value) in alternate)
        {
            var text = Text(value, buffer);
            if (text.IsEmpty)
                continue;
            var found = false;
            foreach (var (knownName, knownValue) in other)
                found |= name == knownName && text.SequenceEqual(knownValue);
            if (!found)
                return false;
            matched++;
        }

        return matched == other.Length;
    }

    // A sum, so that the order of the tags makes no difference.
    public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
    {
        Span<char> buffer = stackalloc char[LongestNumber];
        var hash = 0;
        foreach (var (name, value) in alternate)
        {
            var text = Text(value, buffer);
            if (!text.IsEmpty)
                hash += Hash(name, text);
        }

        return hash;
    }

    public KeyValuePair<string, string>[] Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
    {
        Span<char> buffer = stackalloc char[LongestNumber];
        var tags = new List<KeyValuePair<string, string>>(alternate.Length);
        foreach (var (name, value) in alternate)
        {
            var text = Text(value, buffer);
            if (!text.IsEmpty)
                tags.Add(new(name, text.ToString()));
        }

        tags.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return [.. tags];
    }

    private static int Hash(string name, ReadOnlySpan<char> text) => HashCode.Combine(name.GetHashCode(StringComparison.Ordinal), string.GetHashCode(text));

    private static ReadOnlySpan<char> Text(object? value, Span<char> buffer) => value switch
    {
        null => default,
        string text => text,
        bool flag => flag ? "true" : "false",
        ISpanFormattable number when number.TryFormat(buffer, out var written, default, CultureInfo.InvariantCulture) => buffer[..written],
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}
