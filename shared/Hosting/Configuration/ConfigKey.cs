namespace Entrepot.Hosting.Configuration;

/// <summary>
/// Keys as .NET's configuration holds them, <c>A:B:C</c>. A name that itself contains a colon, such as the registry
/// <c>localhost:5000</c>, is held as <c>localhost%3A5000</c> and shown as <c>[localhost:5000]</c>.
/// </summary>
internal static class ConfigKey
{
    public static string Escape(string name) => name.Replace(":", "%3A", StringComparison.Ordinal);

    public static string Unescape(string name) => name.Replace("%3A", ":", StringComparison.OrdinalIgnoreCase);

    /// <summary>A key as a person writes it after <c>--</c>: colons inside brackets belong to the name.</summary>
    public static string FromCommandLine(string text)
    {
        if (!text.Contains('[', StringComparison.Ordinal))
            return text;
        var parts = text.Split('[', ']');
        for (var i = 1; i < parts.Length; i += 2)
            parts[i] = Escape(parts[i]);
        return string.Concat(parts);
    }

    /// <summary><c>Entrepot__A__B</c> without its prefix.</summary>
    public static string FromEnvironment(string rest) => string.Join(':', rest.Split("__").Select(Escape));

    /// <summary>The child's key as errors show it.</summary>
    public static string Shown(string parent, string name)
    {
        var shown = Unescape(name);
        if (shown.Contains(':', StringComparison.Ordinal))
            shown = $"[{shown}]";
        return parent.Length == 0 ? shown : $"{parent}:{shown}";
    }

    /// <summary>A whole held key as errors show it.</summary>
    public static string Shown(string key) => key.Split(':').Aggregate("", Shown);
}
