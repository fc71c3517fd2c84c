namespace Entrepot.Oci;

/// <summary>Percent escapes in paths. Source: RFC 3986 §2.1.</summary>
internal static class PercentEscapes
{
    /// <summary>
    /// The text with escapes of printable ASCII resolved, once. <c>%2F</c>, <c>%25</c> and all that is no valid escape stay as they are: an
    /// escaped slash is not a separator, and whatever keeps its <c>%</c> fails the grammar it is read by.
    /// </summary>
    public static ReadOnlySpan<char> Resolve(ReadOnlySpan<char> text)
    {
        if (!text.Contains('%'))
            return text;

        var resolved = new char[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                var value = (char)((HexValue(text[i + 1]) << 4) | HexValue(text[i + 2]));
                if (value is > ' ' and <= '~' and not '/' and not '%')
                {
                    resolved[length++] = value;
                    i += 2;
                    continue;
                }
            }

            resolved[length++] = text[i];
        }

        return resolved.AsSpan(0, length);
    }

    private static int HexValue(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
