using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Oci;

/// <summary>
/// A tag, such as <c>1.27-alpine</c>: 1 to 128 letters, digits, <c>_</c>, <c>.</c> and <c>-</c>, of which the first is not <c>.</c> or
/// <c>-</c>. <c>default</c> is none and throws when its text is asked for. Source: OCI distribution-spec v1.1, Pulling manifests.
/// </summary>
public readonly record struct Tag : IParsable<Tag>
{
    /// <summary>The greatest length, in characters.</summary>
    public const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    private readonly string? _text;

    private Tag(string text) => _text = text;

    /// <summary>Reads a tag; the given string itself is kept, nothing is allocated.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Tag tag)
    {
        var valid = text is not null && IsValid(text);
        tag = valid ? new Tag(text!) : default;
        return valid;
    }

    /// <summary>Reads a tag; allocates its text only when it is valid.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Tag tag)
    {
        var valid = IsValid(text);
        tag = valid ? new Tag(text.ToString()) : default;
        return valid;
    }

    /// <inheritdoc cref="TryParse(string?, out Tag)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Tag result) => TryParse(s, out result);

    /// <summary>Reads a tag that must be one.</summary>
    /// <exception cref="FormatException">It is not a valid tag.</exception>
    public static Tag Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var tag) ? tag : throw new FormatException(
            $"'{SafeText.Of(s)}' is not a tag: use 1 to 128 letters, digits, _ . and -, not starting with . or -.");

    /// <summary>The tag's text; always the same instance.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>.</exception>
    public override string ToString() => _text ?? throw new InvalidOperationException("default(Tag) has no text.");

    private static bool IsValid(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxLength && text[0] is not ('.' or '-') && !text.ContainsAnyExcept(Allowed);
}
