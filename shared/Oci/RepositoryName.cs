using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Oci;

/// <summary>
/// A repository's name, such as <c>library/nginx</c>: slash-separated components of lower-case letters and digits, joined inside by
/// <c>.</c>, <c>_</c>, <c>__</c> or dashes; at most 255 characters. <c>default</c> is none and throws when its text is asked for.
/// Source: OCI distribution-spec v1.1, Pulling manifests.
/// </summary>
public readonly record struct RepositoryName : IParsable<RepositoryName>
{
    /// <summary>The greatest length, in characters.</summary>
    public const int MaxLength = 255;

    private readonly string? _text;

    private RepositoryName(string text) => _text = text;

    /// <summary>Reads a name; the given string itself is kept, nothing is allocated.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RepositoryName name)
    {
        var valid = text is not null && IsValid(text);
        name = valid ? new RepositoryName(text!) : default;
        return valid;
    }

    /// <summary>Reads a name; allocates its text only when it is valid.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out RepositoryName name)
    {
        var valid = IsValid(text);
        name = valid ? new RepositoryName(text.ToString()) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, out RepositoryName)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out RepositoryName result) => TryParse(s, out result);

    /// <summary>Reads a name that must be one.</summary>
    /// <exception cref="FormatException">It breaks the grammar or is longer than <see cref="MaxLength"/>.</exception>
    public static RepositoryName Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var name) ? name : throw new FormatException(
            $"'{SafeText.Of(s)}' is not a repository name: use lower-case letters and digits with single . _ - between them, parts separated by /.");

    /// <summary>The name's text; always the same instance.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>.</exception>
    public override string ToString() => _text ?? throw new InvalidOperationException("default(RepositoryName) has no text.");

    private static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.Length > MaxLength)
            return false;

        // A run of letters and digits, then a separator, then another run: the grammar never allows two separators in a row.
        var i = 0;
        while (true)
        {
            var run = i;
            while (i < text.Length && text[i] is (>= 'a' and <= 'z') or (>= '0' and <= '9'))
                i++;
            if (i == run)
                return false;
            if (i == text.Length)
                return true;

            switch (text[i++])
            {
                case '/' or '.':
                    break;
                case '_':
                    if (i < text.Length && text[i] == '_')
                        i++;
                    break;
                case '-':
                    while (i < text.Length && text[i] == '-')
                        i++;
                    break;
                default:
                    return false;
            }
        }
    }
}
