namespace Entrepot.Hosting.Telemetry;

/// <summary>The program's name in lower case, such as <c>entrepot-api</c>.</summary>
internal sealed record ServiceName(string Value);
