using System.Text;

namespace Entrepot.Hosting;

/// <summary>One mistake in the configuration, told so that it can be mended without reading the documentation.</summary>
public sealed record ConfigError
{
    private const int LongestValue = 200;

    /// <summary>Makes an error.</summary>
    /// <param name="key">The full key, such as <c>Upstreams:ghcr.io:Url</c>; a leading colon is dropped.</param>
    /// <param name="value">The offending text, or null when it is secret or there is none.</param>
    /// <param name="problem">What is wrong with it, as the rest of a sentence that begins with the key.</param>
    /// <param name="fix">What to write instead, as an instruction.</param>
    public ConfigError(string key, string? value, string problem, string fix)
    {
        ArgumentNullException.ThrowIfNull(key);
        (Key, Value, Problem, Fix) = (key.TrimStart(':'), value, problem, fix);
    }

    /// <summary>The full key, such as <c>Upstreams:ghcr.io:Url</c>.</summary>
    public string Key { get; }

    /// <summary>The offending text; null when there is none or when it must not be shown.</summary>
    public string? Value { get; init; }

    /// <summary>What is wrong.</summary>
    public string Problem { get; }

    /// <summary>What to write instead.</summary>
    public string Fix { get; }

    /// <summary>One line: <c>Upstreams:ghcr.io:Url = "htps://x": is not an http(s) URL; write https://x</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Key);
        if (Value is not null)
            text.Append(" = \"").Append(Shown(Value)).Append('"');
        return text.Append(": ").Append(OneLine(Problem)).Append("; ").Append(OneLine(Fix)).ToString();
    }

    /// <summary>The text without the user and password that a URL may carry.</summary>
    internal static string WithoutUserInfo(string value)
    {
        var scheme = value.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return value;
        var authority = scheme + 3;
        var path = value.AsSpan(authority).IndexOfAny('/', '?', '#');
        var end = path < 0 ? value.Length : authority + path;
        var at = value.LastIndexOf('@', end - 1, end - authority);
        return at < 0 ? value : string.Concat(value.AsSpan(0, authority), "***", value.AsSpan(at));
    }

    private static string Shown(string value)
    {
        var text = WithoutUserInfo(value);
        return OneLine(text.Length <= LongestValue ? text : string.Concat(text.AsSpan(0, LongestValue), "..."));
    }

    private static string OneLine(string text) =>
        text.AsSpan().IndexOfAnyInRange('\0', '\u001f') < 0 ? text : string.Concat(text.Select(c => c < ' ' ? ' ' : c));
}
