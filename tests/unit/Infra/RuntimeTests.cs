using System.Text.Json;
using Entrepot.TestSupport.Product;
using Xunit;

namespace Entrepot.UnitTests.Infra;

/// <summary>How the runtime is set for every process of ours: nothing else would fail if one lost a setting, it would only be slower, or reset connections that clients resume from.</summary>
public sealed class RuntimeTests
{
    [Theory]
    [InlineData("standalone")]
    [InlineData("api")]
    [InlineData("fetcher")]
    [InlineData("janitor")]
    public void Every_process_runs_with_the_settings_that_were_measured(string service)
    {
        using var settings = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(ServicePrograms.PathOf(service), ".runtimeconfig.json")));
        var properties = settings.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties");
        Assert.Equal(0, properties.GetProperty("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit").GetInt32());
        Assert.False(properties.GetProperty("System.Runtime.TieredPGO").GetBoolean());
        Assert.False(properties.GetProperty("System.GC.Server").GetBoolean());
        Assert.True(properties.GetProperty("Microsoft.AspNetCore.Server.Kestrel.FinOnError").GetBoolean());
    }
}
