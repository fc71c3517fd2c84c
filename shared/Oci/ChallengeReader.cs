using System.Buffers;
using System.Text;

namespace Entrepot.Oci;

/// <summary>
/// Walks over a WWW-Authenticate header. Its grammar uses the comma both between parameters and between challenges: a word that is
/// followed by <c>=</c> is a parameter of the challenge before it, any other begins a new one.
/// </summary>
internal ref struct ChallengeReader(ReadOnlySpan<char> header)
{
    private static readonly SearchValues<char> Token68 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

    private ReadOnlySpan<char> _rest = header;

    /// <summary>Moves to the next challenge; parameters of the last one that were not read are skipped.</summary>
    public bool NextScheme(out ReadOnlySpan<char> scheme)
    {
        while (NextParameter(out _, out _))
        {
        }

        scheme = ReadWord();
        if (scheme.IsEmpty)
            return false;

        // Negotiate and its like carry one bare value, padded with '=', instead of parameters.
        var value = _rest.TrimStart(" \t");
        var length = value.IndexOfAnyExcept(Token68);
        var after = length < 0 ? default : value[length..].TrimStart('=').TrimStart(" \t");
        if (value.Length < _rest.Length && (after.IsEmpty || after[0] == ','))
            _rest = after;
        return true;
    }

    /// <summary>Moves to the next parameter of the current challenge; false at its end.</summary>
    public bool NextParameter(out ReadOnlySpan<char> name, out string value)
    {
        value = "";
        var before = _rest;
        name = ReadWord();
        _rest = _rest.TrimStart(" \t");
        if (name.IsEmpty || _rest.IsEmpty || _rest[0] != '=')
        {
            _rest = before;
            return false;
        }

        _rest = _rest[1..].TrimStart(" \t");
        value = !_rest.IsEmpty && _rest[0] == '"' ? ReadQuoted() : ReadBare();
        return true;
    }

    /// <summary>The next run of token characters; what is in front of it and none of them is skipped.</summary>
    private ReadOnlySpan<char> ReadWord()
    {
        var start = 0;
        while (start < _rest.Length && !IsTokenCharacter(_rest[start]))
            start++;
        var end = start;
        while (end < _rest.Length && IsTokenCharacter(_rest[end]))
            end++;

        var word = _rest[start..end];
        _rest = _rest[end..];
        return word;
    }

    private string ReadQuoted()
    {
        var text = new StringBuilder();
        var i = 1;
        while (i < _rest.Length && _rest[i] != '"')
        {
            if (_rest[i] == '\\' && i + 1 < _rest.Length)
                i++;
            text.Append(_rest[i++]);
        }

        // Without its closing quote the value was cut: half an address is worse than none.
        var closed = i < _rest.Length;
        _rest = closed ? _rest[(i + 1)..] : default;
        return closed ? text.ToString() : "";
    }

    /// <summary>Some registries leave the quotes away, even around an address.</summary>
    private string ReadBare()
    {
        var end = _rest.IndexOfAny(" \t,");
        var value = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[end..];
        return value.ToString();
    }

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
