using System.Collections;
using Entrepot.Hosting.Configuration;

namespace Entrepot.Hosting;

/// <summary>
/// Where settings come from, later ones winning: the options classes' defaults, <c>entrepot.json</c> (or <c>--config FILE</c>),
/// environment variables <c>Entrepot__Section__Key</c>, the command line.
/// </summary>
public static class EntrepotConfiguration
{
    /// <summary>The file that is read from the current directory when no other is named.</summary>
    public const string DefaultFile = "entrepot.json";

    private const string Prefix = "Entrepot__";

    /// <summary>The settings of this process. Mistakes in the form of file and command line are added to <paramref name="errors"/>.</summary>
    public static IConfigurationRoot Load(IReadOnlyList<string> args, ICollection<ConfigError> errors)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(errors);
        return Load(CommandLine.Parse(args, errors), ProcessVariables(), Environment.CurrentDirectory, errors).Root;
    }

    internal static (IConfigurationRoot Root, bool FileIsBroken) Load(
        CommandLine line, IEnumerable<KeyValuePair<string, string?>> variables, string directory, ICollection<ConfigError> errors)
    {
        var layers = new LayeredSettings();
        var broken = false;
        var file = line.ConfigFile ?? Path.Combine(directory, DefaultFile);
        if (line.ConfigFile is not null && !File.Exists(file))
        {
            errors.Add(new ConfigError("--config", file, "does not exist", "name an existing JSON file"));
            broken = true;
        }
        else if (File.Exists(file))
        {
            if (JsonSettings.Read(file, errors) is { } settings)
                layers.Add(settings);
            else
                broken = true;
        }

        layers.Add(variables
            .Where(v => v.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && v.Key.Length > Prefix.Length)
            .Select(v => new KeyValuePair<string, string?>(ConfigKey.FromEnvironment(v.Key[Prefix.Length..]), v.Value)));
        layers.Add(line.Settings);
        return (layers.ToConfiguration(), broken);
    }

    internal static IEnumerable<KeyValuePair<string, string?>> ProcessVariables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => new KeyValuePair<string, string?>((string)e.Key, (string?)e.Value));
}
