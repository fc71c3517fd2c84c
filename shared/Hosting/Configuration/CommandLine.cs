namespace Entrepot.Hosting.Configuration;

/// <summary>The command line, taken apart: <c>--Key=value</c>, <c>--Key value</c> and a few words of its own.</summary>
internal sealed class CommandLine
{
    public const string WriteDocsOption = "--write-config-docs";

    private CommandLine()
    {
    }

    public bool Help { get; private set; }

    public bool Version { get; private set; }

    public string? ConfigFile { get; private set; }

    /// <summary>The folder whose configuration documents are to be rewritten (for developers; not shown by <c>--help</c>).</summary>
    public string? WriteDocs { get; private set; }

    public List<KeyValuePair<string, string?>> Settings { get; } = [];

    public static CommandLine Parse(IReadOnlyList<string> args, ICollection<ConfigError> errors)
    {
        var line = new CommandLine();
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (arg is "--help" or "-h")
            {
                line.Help = true;
                continue;
            }

            if (arg == "--version")
            {
                line.Version = true;
                continue;
            }

            if (!arg.StartsWith("--", StringComparison.Ordinal) || arg.Length == 2)
            {
                // The text is not shown: it may be a password that an "= " tore from its key.
                errors.Add(new ConfigError($"argument {i + 1}", null, "is not an option", "write --Key=value or --Key value; --help lists the keys"));
                continue;
            }

            var equals = arg.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? arg : arg[..equals];
            string? value = null;
            if (equals >= 0)
                value = arg[(equals + 1)..];
            else if (i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal))
                value = args[++i];

            if (value is null)
                errors.Add(new ConfigError(name, null, "has no value", $"write {name}=value"));
            else
                line.Take(name, value);
        }

        return line;
    }

    private void Take(string name, string value)
    {
        if (name == "--config")
            ConfigFile = value;
        else if (name == WriteDocsOption)
            WriteDocs = value;
        else
            Settings.Add(new(ConfigKey.FromCommandLine(name[2..]), value));
    }
}
