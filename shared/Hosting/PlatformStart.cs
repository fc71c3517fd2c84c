using System.Reflection;
using Entrepot.Hosting.Configuration;

namespace Entrepot.Hosting;

/// <summary>
/// The first thing a process does: read its settings, and answer <c>--help</c> and <c>--version</c>.
/// <code>
/// var start = PlatformStart.Read(args, new OptionsSchema().Add&lt;PlatformOptions&gt;("").Add&lt;ApiOptions&gt;("Api"));
/// if (start.ExitCode is { } code) return code;
/// var builder = PlatformHost.CreateBuilder(start);
/// </code>
/// </summary>
public sealed class PlatformStart
{
    private readonly BoundOptions? _options;

    private PlatformStart(string serviceName, int? exitCode, BoundOptions? options) => (ServiceName, ExitCode, _options) = (serviceName, exitCode, options);

    /// <summary>The program's name in lower case, such as <c>entrepot-api</c>.</summary>
    public string ServiceName { get; }

    /// <summary>What to end the process with: 0 after help or version, 2 after printed mistakes; null to go on.</summary>
    public int? ExitCode { get; }

    /// <summary>The filled options; without mistakes.</summary>
    /// <exception cref="InvalidOperationException">The process is to end, see <see cref="ExitCode"/>.</exception>
    public BoundOptions Options => _options ?? throw new InvalidOperationException("there are no options: end the process with ExitCode");

    /// <summary>Reads settings from file, environment and command line; prints all mistakes at once to standard error.</summary>
    public static PlatformStart Read(string[] args, OptionsSchema schema) => Read(args, schema, Console.Out, Console.Error);

    internal static PlatformStart Read(string[] args, OptionsSchema schema, TextWriter output, TextWriter error)
    {
        var program = Assembly.GetEntryAssembly()?.GetName().Name ?? "Entrepot";
        var service = program.ToLowerInvariant().Replace('.', '-');
        var errors = new List<ConfigError>();
        var line = CommandLine.Parse(args, errors);
        if (line.Version)
        {
            output.WriteLine($"{program} {Version}");
            return new(service, 0, null);
        }

        if (line.Help)
        {
            output.Write(ConfigurationDocs.ToHelp(schema, program));
            return new(service, 0, null);
        }

        if (line.WriteDocs is { } folder && errors.Count == 0)
        {
            ConfigurationDocs.Write(schema, folder);
            return new(service, 0, null);
        }

        var (settings, fileIsBroken) = EntrepotConfiguration.Load(line, EntrepotConfiguration.ProcessVariables(), Environment.CurrentDirectory, errors);

        // Half of the settings would only make errors that are none.
        var options = fileIsBroken ? null : schema.Bind(settings);
        errors.AddRange(options?.Errors ?? []);
        if (errors.Count == 0)
            return new(service, null, options);
        error.WriteLine($"{program}: {errors.Count} mistake{(errors.Count == 1 ? "" : "s")} in the configuration");
        foreach (var mistake in errors)
            error.WriteLine($"  {mistake}");
        return new(service, 2, null);
    }

    /// <summary>The product's version.</summary>
    internal static string Version =>
        (typeof(PlatformStart).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];
}
