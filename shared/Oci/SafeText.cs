namespace Entrepot.Oci;

/// <summary>Text from outside, made fit for a message, a log line or a terminal.</summary>
internal static class SafeText
{
    private const int MaxLength = 128;

    /// <summary>The first 128 characters with all that is not printable ASCII replaced by <c>?</c>; <c>...</c> follows when it was cut.</summary>
    public static string Of(ReadOnlySpan<char> text)
    {
        Span<char> shown = stackalloc char[MaxLength + 3];
        var length = Math.Min(text.Length, MaxLength);
        for (var i = 0; i < length; i++)
            shown[i] = text[i] is >= ' ' and <= '~' ? text[i] : '?';

        if (text.Length > MaxLength)
        {
            "...".CopyTo(shown[length..]);
            length += 3;
        }

        return new string(shown[..length]);
    }
}
